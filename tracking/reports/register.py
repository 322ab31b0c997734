"""Where the reports stand: below the deliveries' pages, which do not know them."""

from deliveries.models import Delivery
from deliveries.pages import others
from deliveries.pages.others import OtherAction, OtherLink, OtherPage
from tracking.reports.comparison import compare_selected, comparison_page
from tracking.reports.digest import digest_page
from tracking.reports.export import export_file
from tracking.reports.hot_clicks import hot_clicks_html, hot_clicks_page
from tracking.reports.report import recount_page, report_page


def register_reports() -> None:
    """Add pages, buttons and the list's action."""
    others.register(
        pages=[
            OtherPage("<int:delivery_id>/report/", report_page, "report"),
            OtherPage("<int:delivery_id>/report/recount/", recount_page, "recount"),
            OtherPage("<int:delivery_id>/report/export/<slug:what>.<slug:form>", export_file, "export_report"),
            OtherPage("<int:delivery_id>/report/hot-clicks/", hot_clicks_page, "hot_clicks"),
            OtherPage(
                "<int:delivery_id>/report/hot-clicks/<int:message_number>/html/", hot_clicks_html, "hot_clicks_html"
            ),
            OtherPage("digest/", digest_page, "digest"),
            OtherPage("compare/", comparison_page, "compare"),
        ],
        links=[OtherLink("report", "Report", "monitoring", _has_figures)],
        actions=[OtherAction("compare_selected", "Compare", compare_selected)],
    )


def _has_figures(delivery: Delivery) -> bool:
    return delivery.started_at is not None and delivery.proof_of_id is None
