import { neverStuck } from "./seeds";

neverStuck([1, 2]);
