"""Measurements, and the peer they are made against."""
