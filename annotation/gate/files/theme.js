// On the first visit, Label Studio's page follows the system's light or dark theme, as the gate's own pages do.
localStorage.getItem("preferred-color-scheme") ?? localStorage.setItem("preferred-color-scheme", "Auto");
