;; Takes table elements in its start function until there are none, and then traps.
(component
  (core module $guest
    (table $table 1 funcref)
    (func $start
      (loop $again
        (br_if $again
          (i32.ne (table.grow $table (ref.null func) (i32.const 1000)) (i32.const -1))))
      unreachable)
    (start $start)
    (func (export "misbehave")))
  (core instance $instance (instantiate $guest))
  (func (export "misbehave") (canon lift (core func $instance "misbehave"))))
