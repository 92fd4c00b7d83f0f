;; Answers with a list of texts that all are the same megabyte of its memory, and with a list that reaches past its end.
(component
  (core module $guest
    (memory (export "memory") 32)
    ;; So many texts, each a megabyte from address 0 of 2.
    (func (export "misbehave") (param $count i32) (result i32)
      (local $at i32)
      (local.set $at (i32.const 1048576))
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $count))
      (loop $again
        (i32.store (local.get $at) (i32.const 8))
        (i32.store offset=4 (local.get $at) (i32.const 1048000))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br_if $again (local.get $count)))
      (i32.const 0))
    (func (export "misbehave-past-the-end") (result i32)
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.const 0x7fffffff))
      (i32.const 0)))
  (core instance $instance (instantiate $guest))
  (alias core export $instance "memory" (core memory $memory))
  (func (export "misbehave") (param "count" u32) (result (list string))
    (canon lift (core func $instance "misbehave") (memory $memory)))
  (func (export "misbehave-past-the-end") (result (list u8))
    (canon lift (core func $instance "misbehave-past-the-end") (memory $memory))))
