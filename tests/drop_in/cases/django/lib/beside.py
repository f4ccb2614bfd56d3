NAME = "from lib"
