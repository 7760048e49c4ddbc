import { arrayWarehouse } from './array-warehouse.ts';
import { fuel } from './fuel.ts';

export default [fuel, arrayWarehouse];
