"""Ranking and learning: NumPy in, NumPy out; knows no Spark, Kafka or MongoDB."""
