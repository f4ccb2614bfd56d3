bind = "unix:shop.sock"
workers = 1
wsgi_app = "shop:app"
errorlog = "error.log"
loglevel = "info"
