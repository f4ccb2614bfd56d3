"""The application of the WSGI cases under the validator of the standard library."""

from wsgiref.validate import validator

import pep3333

application = validator(pep3333.application)
