// Whether somebody is in the middle of pressing something. What is replaced between pressing and letting go loses the
// click: it then belongs to what both elements stand in.

let pressed = false;
let waiting: (() => void)[] = [];

/** Whether a button of the mouse, a finger or the space bar is down. */
export function isPressed(): boolean {
  return pressed;
}

/** Wait until nothing is pressed, and the click that came of it has been answered. */
export function letGo(): Promise<void> {
  return pressed ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve();
}

function release(): void {
  pressed = false;
  // The click comes after the end of the press, as an event of its own.
  window.setTimeout(() => {
    if (pressed) return;
    const all = waiting;
    waiting = [];
    for (const resolve of all) resolve();
  });
}

function press(): void {
  pressed = true;
}

const options = { capture: true, passive: true };
// Other buttons open menus, which may keep the end of the press to themselves.
document.addEventListener("pointerdown", (event) => event.button === 0 && press(), options);
document.addEventListener("pointerup", release, options);
document.addEventListener("pointercancel", release, options);
document.addEventListener("keydown", (event) => event.key === " " && press(), options);
document.addEventListener("keyup", (event) => event.key === " " && release(), options);
window.addEventListener("blur", release);
