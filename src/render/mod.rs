//! Records to text: tables, JSON, plain and verbatim lines, all safe to show. Knows no terminal library.
