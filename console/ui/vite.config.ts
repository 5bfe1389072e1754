import { defineConfig } from 'vite'

// The build is committed, so that `go build` needs no Node; `make ui` writes it anew and `make check` compares.
export default defineConfig({
  base: './',
  // Vite's own helper for preloading puts inline styles and scripts nowhere, so the strict policy holds.
  build: { outDir: 'dist', assetsInlineLimit: 0, target: 'es2022', sourcemap: false, chunkSizeWarningLimit: 2000, modulePreload: { polyfill: false } },
  server: { proxy: { '/api': 'http://127.0.0.1:8080', '/console': 'http://127.0.0.1:8080', '/readyz': 'http://127.0.0.1:8080' } },
})
