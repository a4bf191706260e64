(function () {
  "use strict";
  for (const button of document.querySelectorAll(".again button")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      getSelection().selectAllChildren(button.previousElementSibling);
      // What newer browsers have instead asks people for permission, and is not there in a file from disk.
      button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
    });
  }
})();
