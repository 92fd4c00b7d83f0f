;; Components within components, aliases outwards, instances made twice.
(component
  (type $number u32)
  (component $inner
    (alias outer 1 0 (type $outer))
    (import "f" (func $f (param "n" $outer) (result u32)))
    (component $innermost
      (import "g" (func (param "n" u32) (result u32))))
    (instance $i (instantiate $innermost (with "g" (func $f))))
    (export "f" (func $f)))
  (core module $m (func (export "f") (param i32) (result i32) (local.get 0)))
  (core instance $m (instantiate $m))
  (func $f (param "n" u32) (result u32) (canon lift (core func $m "f")))
  (instance $a (instantiate $inner (with "f" (func $f))))
  (instance $b (instantiate $inner (with "f" (func $a "f"))))
  (export "test:corpus/nested" (instance $b)))
