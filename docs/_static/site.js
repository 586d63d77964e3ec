// On a phone a figure keeps a size at which its text can be read, and is moved sideways: with the arrow keys too.
addEventListener("load", () => {
  if (!matchMedia("(max-width: 600px)").matches) return;
  for (const image of document.querySelectorAll("article img")) image.parentElement.tabIndex = 0;
});
