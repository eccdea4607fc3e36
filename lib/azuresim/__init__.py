"""An embedded simulator of Azure Resource Manager: real HTTPS on loopback, worlds in YAML, no verdicts."""
