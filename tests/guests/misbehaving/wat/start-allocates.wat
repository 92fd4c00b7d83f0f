;; Takes memory in its start function until there is none, and then traps.
(component
  (core module $guest
    (memory 1)
    (func $start
      (loop $again
        (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
      unreachable)
    (start $start)
    (func (export "misbehave")))
  (core instance $instance (instantiate $guest))
  (func (export "misbehave") (canon lift (core func $instance "misbehave"))))
