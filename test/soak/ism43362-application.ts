import { boardOn } from "../../firmware/board/board-on";
import { createIsm43362 } from "../../firmware/wifi/ism43362/ism43362";
import { specification } from "./specification";

export default boardOn(createIsm43362, specification);
