"""The proxy in front of Label Studio. It forwards only the requests that annotators need to label their own tasks."""
