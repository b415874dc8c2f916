"""The gate: the only address that annotators reach. It lets through what labelling one's own tasks needs."""
