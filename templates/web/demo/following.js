// A list that is read at its end stays there, whatever comes or grows; one that is read further up stays where it is.

const NEAR = 80;

// `applies` says whether it is a list of messages just now.
export function following(list, applies = () => true) {
  let atEnd = true;
  let last = 0;
  const keep = () => {
    if (atEnd && applies()) list.scrollTop = list.scrollHeight;
  };
  list.addEventListener("scroll", () => {
    const near = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;
    // What grows moves the end away without anybody scrolling: only who scrolls up has left it.
    if (near || list.scrollTop < last) atEnd = near;
    last = list.scrollTop;
  });
  list.addEventListener("load", keep, true);
  new ResizeObserver(keep).observe(list);
  return {
    keep,
    end() {
      atEnd = true;
      keep();
    },
  };
}
