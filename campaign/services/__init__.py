"""PostgreSQL and Redis from Python wheels, for whoever sets no DATABASE_URL or no REDIS_URL.

One detached keeper process per VAR_DIR runs both on unix sockets and is shared by every process of the project. A
process that uses them holds a shared lock for as long as it lives; when the kernel has freed the last one, however
that process ended, the keeper stops both cleanly and ends. Data is kept between runs. A keeper that was killed is
started again by the processes that still run.
"""

from campaign.services.client import ensure
from campaign.services.layout import ServiceProblem, Urls
from campaign.services.watch import keep_up

__all__ = ["ServiceProblem", "Urls", "ensure", "keep_up"]
