from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "tea"


@app.get("/order/<int:number>")
def order(number):
    raise LookupError(f"no order {number}")
