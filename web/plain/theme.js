// Runs before the first paint, so that no wrong colour is ever seen.
(function () {
  var choice = null
  try { choice = localStorage.getItem('hadal-theme') } catch (e) { /* storage is off: follow the system */ }
  var dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
})()
