"""`python -m console` is `pointsman`: how a session without the scripts on its PATH starts it."""

from console.main import pointsman

if __name__ == "__main__":
    pointsman()
