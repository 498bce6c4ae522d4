import { neverStuck } from "./seeds";

neverStuck([5, 6]);
