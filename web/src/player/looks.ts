import { need } from "../lib/dom.ts";
import { Store } from "../lib/store.ts";

interface Look {
  size: string;
  ink: string;
  back: string;
}

const USUAL: Look = { size: "normal", ink: "white", back: "box" };

/** How captions look. The styles know each choice by an attribute of the player; what was chosen holds for every video. */
export class CaptionLook {
  private readonly store = new Store<Look>("streamhost.captions", USUAL);
  private readonly root: HTMLElement;
  private readonly list: HTMLElement;

  constructor(root: HTMLElement) {
    this.root = root;
    this.list = need("[data-caption-look]", root);
    for (const select of this.list.querySelectorAll("select")) {
      const name = select.name as keyof Look;
      select.value = this.store.value[name];
      if (select.selectedIndex < 0) select.value = USUAL[name];
      this.apply(name, select.value);
      select.addEventListener("change", (event) => {
        event.stopPropagation();
        this.store.set({ [name]: select.value });
        this.apply(name, select.value);
      });
    }
  }

  /** There are captions in this video, or none. */
  offer(yes: boolean): void {
    this.list.hidden = !yes;
  }

  private apply(name: keyof Look, value: string): void {
    this.root.setAttribute(`data-caption-${name}`, value);
  }
}
