"""What Prometheus is told: `instruments` count, `reports` add the processes up, `view` answers."""
