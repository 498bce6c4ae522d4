import { neverStuck } from "./seeds";

neverStuck([9, 10]);
