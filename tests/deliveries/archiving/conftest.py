from tests.deliveries.conftest import fresh_process, worker
from tests.smtp_sink import smtp_sink

__all__ = ["fresh_process", "smtp_sink", "worker"]
