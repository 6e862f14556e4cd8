"""Kafka → taste → MongoDB: producer, streaming job and simulator."""
