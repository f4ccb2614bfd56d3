"""A small Flask application: a guest book kept in the visitor's session, an upload, a stream."""

import hashlib
import os
import time

from flask import Flask, Response, abort, flash, redirect, render_template, request, session, url_for

app = Flask(__name__)
app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY", "only-for-this-example")


@app.get("/")
def index():
    session["visits"] = session.get("visits", 0) + 1
    return render_template("index.html", visits=session["visits"], entries=session.get("entries", []))


@app.post("/sign")
def sign():
    name = request.form["name"].strip()
    if not name:
        abort(400, "Please tell your name.")
    session["entries"] = [*session.get("entries", []), name][-10:]
    flash(f"Thank you, {name}!")
    return redirect(url_for("index"))


@app.post("/upload")
def upload():
    file = request.files["file"]
    digest = hashlib.file_digest(file.stream, "sha256").hexdigest()
    return {"name": file.filename, "size": file.stream.tell(), "sha256": digest}


@app.get("/countdown")
def countdown():
    """One line every half second: the client sees each as it is made."""
    seconds = request.args.get("pause", 0.5, float)

    def lines():
        for number in range(5, 0, -1):
            yield f"{number}\n"
            time.sleep(seconds)
        yield "lift-off\n"

    return Response(lines(), mimetype="text/plain")


@app.get("/worker")
def worker():
    return {"worker": os.getpid()}


@app.get("/fail")
def fail():
    raise RuntimeError("this page always fails")


@app.errorhandler(404)
@app.errorhandler(500)
def error(error):
    return render_template("error.html", error=error), error.code
