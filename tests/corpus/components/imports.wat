;; What the host gives and what it doesn't, calls to a function of another plugin's at the start.
(component
  (import "wasi:cli/environment@0.2.6" (instance $e (export "get-environment" (func (result (list (tuple string string)))))))
  (import "wasi:clocks/monotonic-clock@0.2.6" (instance $c (export "now" (func (result u64)))))
  (import "test:corpus/nested" (instance $n (export "f" (func (param "n" u32) (result u32)))))
  (core func $now (canon lower (func $c "now")))
  (core func $f (canon lower (func $n "f")))
  (core module $m
    (import "i" "now" (func $now (result i64)))
    (import "i" "f" (func $f (param i32) (result i32)))
    (func $start (drop (call $now)) (drop (call $f (i32.const 1))))
    (start $start))
  (core instance $i (instantiate $m (with "i" (instance (export "now" (func $now)) (export "f" (func $f)))))))
