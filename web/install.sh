# Installs the packages that package-lock.json names, once. Sourced by web/build and web/test.
install_modules() {
  if cmp -s package-lock.json node_modules/.installed; then return; fi
  npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >&2
  cp package-lock.json node_modules/.installed
}
