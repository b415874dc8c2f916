// Label Studio's page registers a service worker for storages of its own, which no annotator needs. This one does nothing.
self.addEventListener("install", () => self.skipWaiting());
