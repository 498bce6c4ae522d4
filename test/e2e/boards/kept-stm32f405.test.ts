import { keepsItsSession } from "./kept";

keepsItsSession("stm32f405");
