import { neverStuck } from "./seeds";

neverStuck([3, 4]);
