"""PostgreSQL and Redis from Python wheels, for whoever sets no DATABASE_URL or no REDIS_URL.

One detached keeper process per VAR_DIR runs both on unix sockets and is shared by every process of the project. A
process that uses them holds a shared lock for as long as it lives; when the kernel has freed the last one, however
that process ended, the keeper stops both cleanly and ends. Data is kept between runs.
"""

from campaign.services.client import ensure
from campaign.services.layout import ServiceProblem, Urls

__all__ = ["ServiceProblem", "Urls", "ensure"]
