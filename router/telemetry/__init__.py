"""What has passed, told to others: figures for Prometheus, and OpenTelemetry's three signals."""
