"""Tests of the websocket layer with real clients, and Autobahn's test suite."""
