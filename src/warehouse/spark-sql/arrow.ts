import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

type Arrow = typeof import('apache-arrow', { with: { 'resolution-mode': 'require' }});

export type Data = import('apache-arrow', { with: { 'resolution-mode': 'require' }}).Data;
export type DataType = import('apache-arrow', { with: { 'resolution-mode': 'require' }}).DataType;
export type Field = import('apache-arrow', { with: { 'resolution-mode': 'require' }}).Field;
export type RecordBatch = import('apache-arrow', { with: { 'resolution-mode': 'require' }}).RecordBatch;
export type Schema = import('apache-arrow', { with: { 'resolution-mode': 'require' }}).Schema;

/** The copy of Apache Arrow that the Databricks driver has loaded; importing its ES module would load a second one. */
export const arrow = require('apache-arrow') as Arrow;
