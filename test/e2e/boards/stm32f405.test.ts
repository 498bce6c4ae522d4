import { provesItself } from "./proof";

provesItself("stm32f405");
