// Keeps a list scrolled to its end while it grows, unless the reader has scrolled up.

const NEAR_END_PX = 80;

// `applies` returns whether the list shows messages at present; the Home tab uses the same element.
export function autoscroll(list, applies = () => true) {
  let atEnd = true;
  let lastTop = 0;
  const follow = () => {
    if (atEnd && applies()) list.scrollTop = list.scrollHeight;
  };
  list.addEventListener("scroll", () => {
    const nearEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
    // Growing content also moves the end away; only scrolling up means that the reader has left it.
    if (nearEnd || list.scrollTop < lastTop) atEnd = nearEnd;
    lastTop = list.scrollTop;
  });
  // Images change the height when they have loaded. Their load events do not bubble, hence the capture.
  list.addEventListener("load", follow, true);
  new ResizeObserver(follow).observe(list);
  return {
    follow,
    jump() {
      atEnd = true;
      follow();
    },
  };
}
