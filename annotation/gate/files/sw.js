// Label Studio's page registers a service worker for storages of its own, which no annotator needs. This worker does nothing.
self.addEventListener("install", () => self.skipWaiting());
