// Sets the theme that was chosen by hand before anything is painted. A plain script:
// modules run later. Without a choice the system's preference holds.
try {
  const chosen = localStorage.getItem("maglev-theme");
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.theme = chosen;
  }
} catch {
  // A browser that keeps nothing follows the system.
}
