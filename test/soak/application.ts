import { board } from "../../firmware/board/board";
import { specification } from "./specification";

export default board(specification);
