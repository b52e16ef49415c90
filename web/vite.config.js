import { defineConfig } from "vite";

// The server finds the files by .vite/manifest.json and serves them under /assets/ for ever, so every name carries a hash.
export default defineConfig({
  base: "/assets/",
  publicDir: false,
  build: {
    outDir: "dist",
    assetsDir: "",
    assetsInlineLimit: 0, // no data: URLs for scripts, fonts or sprites: the content security policy stays narrow
    emptyOutDir: true,
    manifest: true,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 600, // kB; the player engine is one large file by nature
    target: "es2022",
    rolldownOptions: {
      input: { analytics: "src/analytics.ts", chapters: "src/chapters.ts", desk: "src/desk.ts", embed: "src/embed.ts", main: "src/main.ts", replace: "src/replace.ts", upload: "src/upload.ts", watch: "src/watch.ts" },
    },
  },
});
