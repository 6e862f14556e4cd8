"""What all listeners' plays say: models out of the archive, by Spark."""
