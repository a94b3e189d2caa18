"""The gallery: one static page of the zoo, with students that draw new images in the browser."""
