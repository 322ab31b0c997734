from tests.people import at_colleague, at_marketer, at_outsider, colleague, marketer, outsider

__all__ = ["at_colleague", "at_marketer", "at_outsider", "colleague", "marketer", "outsider"]
