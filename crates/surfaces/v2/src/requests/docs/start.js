// The URL is relative to the page, so that it works behind a prefix as well. No validator: it is another host.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "none",
});
