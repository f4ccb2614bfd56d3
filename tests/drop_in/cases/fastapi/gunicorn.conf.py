"""FastAPI with uvicorn's worker."""

from multiprocessing import cpu_count

bind = "unix:api.sock"
workers = min(cpu_count(), 2)
worker_class = "uvicorn.workers.UvicornWorker"
timeout = 120
graceful_timeout = 5
raw_env = "STAGE=production"
