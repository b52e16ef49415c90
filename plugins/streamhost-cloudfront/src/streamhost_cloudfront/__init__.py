"""Amazon CloudFront as the CDN of streamhost."""
